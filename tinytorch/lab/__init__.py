"""What the lesson measures, draws and checks with. Uses core and data; knows nothing of grading."""
