# A client of Azure's object store that is not ours, for the server at the address given.
import json, os, sys
from azure.storage.blob import BlobServiceClient

url, account, key = sys.argv[1:]
service = BlobServiceClient(f"{url}/{account}", credential={"account_name": account, "account_key": key})
print(json.dumps(url), flush=True)

for line in sys.stdin:
    verb, bucket, folder = json.loads(line)
    container = service.get_container_client(bucket)
    answer = {}
    if verb == "make":
        container.create_container()
    elif verb == "uploads":
        # Parts without an object.
        answer = sum(1 for blob in container.list_blobs(include=["uncommittedblobs"]) if blob.size is None)
    else:
        for number, found in enumerate(container.list_blobs()):
            path = os.path.join(folder, str(number))
            with open(path, "wb") as file:
                container.download_blob(found.name).readinto(file)
            answer[found.name] = path
    print(json.dumps(answer), flush=True)
