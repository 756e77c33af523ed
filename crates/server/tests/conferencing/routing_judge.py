"""Does with each rule and alias what the rule says, in the words of Python's own module."""

import json, re, sys
results = []
for pattern, replacement, whole, alias in json.load(sys.stdin):
    flags = re.IGNORECASE
    if whole:
        found = re.fullmatch(pattern, alias, flags)
        results.append(found and found.expand(replacement))
    else:
        found = re.search(pattern, alias, flags)
        results.append(found and re.sub(pattern, replacement, alias, flags=flags))
print(json.dumps(results))
