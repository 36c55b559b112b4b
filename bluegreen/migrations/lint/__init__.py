"""What a file of migrations must not do, by phase. Needs no database: it also works alone, in CI."""
