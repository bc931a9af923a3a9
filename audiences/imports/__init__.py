"""What a file says that is imported into a list: its records, its columns, its rows; pure."""
