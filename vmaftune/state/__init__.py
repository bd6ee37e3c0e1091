"""What is kept between runs and during one: folders, the cache, atomic files, the temporary workspace."""
