"""What can be wrong with a journey that can be read: a file for each sort of trouble."""
