"""Reading what Pocket ID keeps, and making ours of it: one file for each kind of thing that moves in."""
