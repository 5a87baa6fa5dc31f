"""The API's paths, a module for each subject."""
