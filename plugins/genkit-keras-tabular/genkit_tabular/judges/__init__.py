"""What judges generated rows: above the models, some of which they are judged beside."""
