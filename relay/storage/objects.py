"""The object store: sealed bodies as one object for each 8 MiB segment, through the S3 API.

Layout of the bucket: `{prefix}/{segment:06}`, where the prefix is the part's and the number counts from 0;
`{prefix}/{segment:06}.{start}` is a piece that a broken connection left of a segment not yet whole.
A finished object is all there is to an acknowledged segment: no upload state lives in the store.
Needs the rights to get, put, delete and list objects of one bucket.
"""
