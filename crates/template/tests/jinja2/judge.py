"""Renders templates with Python's Jinja2, for jinja2.rs to compare with.

Reads {"context": ..., "templates": [[source, autoescape], ...]} from standard input and
writes a list of [text, null] or [null, error]."""

import copy
import json
import sys
import warnings

import jinja2

warnings.simplefilter("ignore")
corpus = json.load(sys.stdin)
environments = {escapes: jinja2.Environment(autoescape=escapes) for escapes in (False, True)}
results = []
for source, escapes in corpus["templates"]:
    try:
        text = environments[escapes].from_string(source).render(copy.deepcopy(corpus["context"]))
        # A text that is not UTF-8 is nothing that could be compared.
        text.encode()
        results.append([text, None])
    except Exception as error:
        results.append([None, f"{type(error).__name__}: {error}"])
json.dump(results, sys.stdout)
