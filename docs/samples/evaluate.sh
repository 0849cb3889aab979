# [measure]
genkit run vae --dataset digits --steps 20 --name measured
genkit evaluate runs/measured --metrics fid,prdc --n 200
# [again]
genkit evaluate runs/measured --metrics fid,prdc,kid --n 200 --json
# [end]
