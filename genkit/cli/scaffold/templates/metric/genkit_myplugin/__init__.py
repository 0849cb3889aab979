"""A metric of images, for GenKit: do generated ones have the brightness of real ones?"""
