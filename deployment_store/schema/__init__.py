"""The schema as numbered steps forward: NNNN_name.sql, each one transaction, never edited once released."""
