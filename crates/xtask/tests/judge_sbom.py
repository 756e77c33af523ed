"""Reads bills of materials with CycloneDX's own library: against the schema, and then
as the components and references that they describe."""

import json
import sys

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def judged(text):
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        return {"fault": str(fault)[:500]}
    try:
        bom = Bom.from_json(json.loads(text))
        known = {str(one.bom_ref) for one in bom.components}
        known.add(str(bom.metadata.component.bom_ref))
        named = {str(one.ref) for one in bom.dependencies}
        for one in bom.dependencies:
            named.update(str(used.ref) for used in one.dependencies)
        if named - known:
            return {"fault": "nothing is " + ", ".join(sorted(named - known))}
        return {"fault": None, "components": len(bom.components)}
    except Exception as fault:
        return {"fault": repr(fault)}


json.dump([judged(text) for text in json.load(sys.stdin)], sys.stdout)
