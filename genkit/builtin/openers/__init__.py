"""Objects of other libraries as data; none of these modules imports its library."""
