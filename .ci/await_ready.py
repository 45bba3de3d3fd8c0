#!/usr/bin/env python3
"""Waits until a URL answers 200: await_ready.py URL SECONDS. Exit 1 if it never does."""
import sys
import time
import urllib.request

url, seconds = sys.argv[1], float(sys.argv[2])
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            if answer.status == 200:
                sys.exit(0)
    except OSError:
        pass
    time.sleep(0.1)
print(f"{url} did not become ready within {seconds:.0f} s")
sys.exit(1)
