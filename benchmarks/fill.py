"""Fills the database that the server uses, and prints as JSON what the load generator needs; run in its environment."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    from benchmarks import rows

    json.dump(rows.fill(int(sys.argv[1])), sys.stdout)
