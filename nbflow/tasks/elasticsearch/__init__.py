"""Task types of Elasticsearch (and OpenSearch, which answers alike). Plain HTTP; no client package is needed."""
