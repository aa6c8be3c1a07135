"""Reading values from responses, and writing the arguments of commands; RFC 3501 section 9."""
