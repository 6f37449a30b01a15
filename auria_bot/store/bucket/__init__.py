"""Files in a bucket of an S3-compatible storage, and the pictures that are kept there."""
