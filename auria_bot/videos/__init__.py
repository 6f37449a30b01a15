"""What a video file states of its streams and frames, for those who read films and those who encode them anew."""
