"""What the real server costs: ``python -m benchmarks.run``; ``README.md`` says how it is measured."""
