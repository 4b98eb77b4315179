# A server of S3 on a free port, and a client of it that is not ours.
import json, os, sys
import boto3
from botocore.config import Config
from moto import settings
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
s3 = boto3.client(
    "s3",
    endpoint_url=url,
    region_name="us-east-1",
    aws_access_key_id="the-id",
    aws_secret_access_key="the-secret",
    config=Config(s3={"addressing_style": "path"}),
)
print(json.dumps(url), flush=True)

for line in sys.stdin:
    verb, bucket, folder = json.loads(line)
    answer = {}
    if verb == "make":
        s3.create_bucket(Bucket=bucket)
    elif verb == "guard":
        # From now on a key has to be one that the server knows.
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    elif verb == "uploads":
        answer = len(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []))
    else:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for number, found in enumerate(page.get("Contents", []), len(answer)):
                path = os.path.join(folder, str(number))
                s3.download_file(bucket, found["Key"], path)
                answer[found["Key"]] = path
    print(json.dumps(answer), flush=True)
os._exit(0)
