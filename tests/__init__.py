"""What this server promises, shown against the real thing: views, database, signatures, processes."""
