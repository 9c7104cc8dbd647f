# base: stubs
# Handed in as it was released.
