"""The endpoint's checks of inputs against the service model that botocore carries: members, types, bounds, patterns.

    MUSTER_TEST_MODEL   a JSON file: service -> operation -> input, as the endpoint checks it

Prints every difference and ends with a non-zero status when there is one that is not known.
"""

import json
import os
import sys

from botocore.loaders import Loader

# Bounds that the model leaves out and the endpoint has, and the other way round, with the reason.
KNOWN = {
    "GetInventory.Aggregators[].Aggregators[].Aggregators": "the model contains itself; two levels are read",
    "GetOpsSummary.Aggregators[].Aggregators[].Aggregators": "the model contains itself; two levels are read",
    # The newest model may know more values than the version that is installed here, or fewer.
}
TYPES = {
    "string": "text",
    "integer": "whole",
    "long": "long",
    "boolean": "flag",
    "timestamp": "number",
    "double": "number",
    "blob": "blob",
    "list": "list",
    "map": "map",
    "structure": "record",
}
INT32 = 2**31 - 1


def differences(shapes, name, ours, path):
    theirs = shapes[name]
    kind = TYPES[theirs["type"]]
    if kind != ours["type"]:
        yield f"{path}: is {kind} in the model, {ours['type']} here"
        return
    if kind in ("text", "blob", "list", "whole"):
        for bound in ("min", "max"):
            found, here = theirs.get(bound), ours.get(bound)
            # None is no bound; so are 0 and the ends of an integer.
            if bound == "min" and (found or 0) == 0 and (here or 0) in (0, -INT32 - 1):
                continue
            if bound == "max" and found is None and here == INT32:
                continue
            if found != here:
                yield f"{path}: {bound} is {found} in the model, {here} here"
    if kind == "text":
        if theirs.get("pattern") != ours.get("pattern"):
            yield f"{path}: pattern is {theirs.get('pattern')!r} in the model, {ours.get('pattern')!r} here"
        if set(theirs.get("enum", [])) != set(ours.get("oneOf", [])):
            yield f"{path}: values are {theirs.get('enum')} in the model, {ours.get('oneOf')} here"
    if kind == "list":
        yield from differences(shapes, theirs["member"]["shape"], ours["of"], path + "[]")
    if kind == "map":
        yield from differences(shapes, theirs["value"]["shape"], ours["of"], path + "{}")
    if kind == "record":
        here = {member["name"]: member for member in ours["members"]}
        required = set(theirs.get("required", []))
        for member in sorted(set(theirs["members"]) ^ set(here)):
            yield f"{path}.{member}: is only {'here' if member in here else 'in the model'}"
        for member in sorted(set(theirs["members"]) & set(here)):
            place = f"{path}.{member}"
            if (member in required) != here[member]["required"]:
                yield f"{place}: is {'' if member in required else 'not '}required in the model"
            yield from differences(shapes, theirs["members"][member]["shape"], here[member]["shape"], place)


def main():
    with open(os.environ["MUSTER_TEST_MODEL"], encoding="utf-8") as file:
        ours = json.load(file)
    bad = count = 0
    for service, operations in ours.items():
        model = Loader().load_service_model(service, "service-2")
        for operation, shape in operations.items():
            their = model["operations"].get(operation)
            if their is None:
                print(f"{service}.{operation}: is not in the model")
                bad += 1
                continue
            count += 1
            name = their["input"]["shape"] if "input" in their else None
            found = differences(model["shapes"], name, shape, operation) if name else []
            for difference in found:
                known = KNOWN.get(difference.split(":", 1)[0])
                print(f"{'known' if known else 'DIFFERS'} {difference}{' (' + known + ')' if known else ''}")
                bad += known is None
    print(f"{count} operations compared, {bad} differences")
    sys.exit(1 if bad or not count else 0)


main()
