#!/usr/bin/env python3
"""Judges bids by two readers that are not ours: validators.py RTBLINT SCHEMAS REQUESTS FOLDER...

Each FOLDER holds NAME.request.json and NAME.response.json; what is no JSON object (a status without a body) is passed
over. RTBLINT is the linter of that name, which reads each answer beside its request. SCHEMAS is a folder with the JSON
Schema of a response, or `-` for none; its objects are closed before use, so that a misspelt field is found.

REQUESTS is a folder of requests, or `-` for none. They are others' and as faulty as what others send, so how many each
judge finds faultless is said and not asked for.

Before anything is judged, each judge must refuse answers that are broken on purpose: one that cannot say no is no judge.
Exit 1 if an answer is refused, if a control is not, or if there is nothing to judge.
"""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

SCHEMA = "openrtb-2.6-202606-bid-{}.schema.json"

# What is done to a good answer to break it, and which judges must see it.
BREAKS = {
    "price as a text": (lambda bid: bid.update(price="2.50"), ("schema", "rtblint")),
    "no price": (lambda bid: bid.pop("price"), ("schema", "rtblint")),
    "a field that does not exist": (lambda bid: bid.update(advdomain=["a.example"]), ("schema", "rtblint")),
    "domains that are no list": (lambda bid: bid.update(adomain="a.example"), ("schema", "rtblint")),
    "a kind of markup that does not exist": (lambda bid: bid.update(mtype=9), ("schema", "rtblint")),
    "an impression that was not asked for": (lambda bid: bid.update(impid="nobody"), ("rtblint",)),
}


def closed(schema):
    """The schema with every object that names its fields refusing others; extensions stay open."""
    if isinstance(schema, dict):
        for value in schema.values():
            closed(value)
        if "properties" in schema and "ext" in schema["properties"]:
            schema["additionalProperties"] = False
    elif isinstance(schema, list):
        for value in schema:
            closed(value)
    return schema


def by_schema(folder):
    from jsonschema import Draft202012Validator

    def validator(kind):
        with open(os.path.join(folder, SCHEMA.format(kind)), encoding="utf-8") as file:
            schema = closed(json.load(file))
        Draft202012Validator.check_schema(schema)
        return Draft202012Validator(schema)

    validators = {kind: validator(kind) for kind in ("request", "response")}

    def judge(request, response=None):
        kind = "response" if response else "request"
        with open(response or request, encoding="utf-8") as file:
            document = json.load(file)
        return [f"{found.json_path}: {found.message[:200]}" for found in validators[kind].iter_errors(document)]

    return judge


def by_rtblint(program):
    def judge(request, response=None):
        what = ["--type", "response", "--request", request, response] if response else ["--type", "request", request]
        run = subprocess.run(
            [program, "validate", "--format", "json", *what],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode not in (0, 1):
            return [f"it failed: {run.stderr.strip()}"]
        issues = json.loads(run.stdout)["issues"]
        return [f"{it.get('path')}: {it['id']} {it['message']}" for it in issues if it["severity"] == "error"]

    return judge


def control(judges, pair):
    """Breaks a good answer in every way, and returns how many judges did not see what they must see."""
    request, response = pair
    with open(response, encoding="utf-8") as file:
        good = json.load(file)
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "broken.json")
        for name, (break_it, seen_by) in BREAKS.items():
            broken = copy.deepcopy(good)
            break_it(broken["seatbid"][0]["bid"][0])
            with open(path, "w", encoding="utf-8") as file:
                json.dump(broken, file)
            for judge in seen_by:
                if judge in judges and not judges[judge](request, path):
                    missed += 1
                    print(f"FAIL control: {judge} does not see {name}")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"id": 7, "imp": []}, file)
        for name, judge in judges.items():
            if not judge(path):
                missed += 1
                print(f"FAIL control: {name} does not see a broken request")
    return missed


def pairs(folders):
    for folder in folders:
        for response in sorted(glob.glob(os.path.join(folder, "*.response.json"))):
            with open(response, encoding="utf-8") as file:
                if file.read(1) == "{":
                    yield response.removesuffix(".response.json") + ".request.json", response


def main():
    program, schemas, requests, folders = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    judges = {"rtblint": by_rtblint(program)}
    if schemas != "-":
        judges["schema"] = by_schema(schemas)
    answers = list(pairs(folders))
    if not answers:
        sys.exit("FAIL: nothing to judge")
    faults = control(judges, answers[0])
    for request, response in answers:
        for name, judge in judges.items():
            for found in judge(request, response):
                faults += 1
                print(f"FAIL {response}: {name}: {found}")
    sent = sorted(glob.glob(os.path.join(requests, "*.json"))) if requests != "-" else []
    for name, judge in judges.items() if sent else ():
        faultless = sum(not judge(path) for path in sent)
        print(f"{len(sent)} requests, of which {name} finds {faultless} faultless")
    print(f"{len(answers)} answers judged by {' and '.join(sorted(judges))}, {faults} faults")
    sys.exit(1 if faults else 0)


main()
