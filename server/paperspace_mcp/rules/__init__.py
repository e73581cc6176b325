"""What we decide: pure functions and tables. No await, clock, random or I/O."""
