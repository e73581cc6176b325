"""What the API is: operations, shapes, catalogue, errors. Facts only; nothing here decides or calls."""
