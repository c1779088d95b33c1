#!/usr/bin/env python3
"""usage: validate_json.py SCHEMA FILE

Fails where a line of FILE is no JSON object that the schema allows, or breaks what a
schema can't say: ids that are spoken of exist, and no key stands twice in an object.
Status 77: python3-jsonschema is not installed.
"""

import json
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)


def no_key_twice(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key stands twice: {sorted(keys)}")
    return dict(pairs)


def no_constant(name):
    raise ValueError(f"{name} is no number of JSON")


def dangling(report):
    """What is spoken of by an id, and isn't there."""
    stacks = {stack["id"] for stack in report["stacks"]}
    objects = {thing["id"] for thing in report["objects"]}
    used_stacks = [site["stack"] for site in report["sites"]]
    used_objects = []
    for thing in report["objects"]:
        used_stacks.append(thing["created_stack"])
    for thread in report["threads"]:
        things = thread["holds"] + ([thread["waits"]] if thread["waits"] else [])
        used_stacks += [thing["stack"] for thing in things]
        used_objects += [thing["object"] for thing in things]
    for finding in report["findings"]:
        used_objects += finding["objects"]
        for item in finding["stacks"]:
            used_stacks.append(item["stack"])
            used_objects.append(item["object"])
    missing = [f"stack {s}" for s in used_stacks if s is not None and s not in stacks]
    return missing + [f"object {o}" for o in used_objects if o is not None and o not in objects]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)
    bad = 0
    with open(sys.argv[2], encoding="utf-8") as file:
        lines = file.read().split("\n")
    if len(lines) < 2 or lines[-1] != "":
        print("expected lines, each with its end")
        bad += 1
    for number, line in enumerate(lines[:-1], 1):
        try:
            report = json.loads(line, object_pairs_hook=no_key_twice, parse_constant=no_constant)
        except ValueError as error:
            print(f"line {number}: {error}")
            bad += 1
            continue
        errors = list(validator.iter_errors(report))
        for error in errors:
            where = "/".join(str(step) for step in error.absolute_path)
            print(f"line {number}: {where}: {error.message[:200]}")
        if not errors:
            for missing in dangling(report):
                print(f"line {number}: {missing} is spoken of and not there")
                bad += 1
        bad += len(errors)
    return 1 if bad else 0


sys.exit(main())
