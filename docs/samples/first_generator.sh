# [new]
genkit new plugin doodles --kind generator
# [install]
cd genkit-keras-doodles
pip install -e '.[test]'
genkit list plugins
# [run]
genkit run doodles --steps 3000 --name first
# [generate]
genkit generate runs/first --n 16 --format grid
# [edit]
git apply ../first_generator.diff
# [again]
genkit info doodles
genkit run doodles --set smoothing=0.2 --steps 3000 --name smooth
# [test]
pytest
# [wheel]
pip wheel --no-deps --wheel-dir dist .
# [end]
