"""What an instructor runs: build, release, grade. Never imported by core, data or lab."""
