"""The pages, a module for each subject: what the API's own paths answer, in HTML."""
