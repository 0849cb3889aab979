"""What learns: ``genkit.Model``, what its parts are, and how it is trained."""
