"""Verifies assertions by PyJWT against a key set.

Reads {"jwks": ..., "assertions": [...], "audience": ...} from standard input and
writes what each assertion holds, or the name of the error, to standard output.
"""

import json
import sys

import jwt


def judged(assertion, keys, audience):
    header = jwt.get_unverified_header(assertion)
    key = keys[header["kid"]]
    try:
        claims = jwt.decode(
            assertion,
            key.key,
            algorithms=[key.algorithm_name],
            audience=audience,
            options={"require": ["iss", "sub", "aud", "jti", "iat", "exp"]},
        )
    except jwt.InvalidTokenError as error:
        return {"error": type(error).__name__}
    return {"header": header, "claims": claims}


case = json.load(sys.stdin)
keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(case["jwks"]).keys}
json.dump(
    [judged(assertion, keys, case["audience"]) for assertion in case["assertions"]],
    sys.stdout,
)
