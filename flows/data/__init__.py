"""What `make data` derives from published sources, and the tables it writes."""
