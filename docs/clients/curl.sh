#!/usr/bin/env bash
# Each endpoint with curl: docs/clients/curl.sh http://localhost:3000 report.txt
# Where the service has keys, one of them stands in the environment variable ZHUTI_KEY.
set -euo pipefail
url=$1
file=$2
json='Content-Type: application/json'
key=()
if [ -n "${ZHUTI_KEY:-}" ]; then key=(-H "Authorization: Bearer $ZHUTI_KEY"); fi

ask() { # --fail-with-body: an error's JSON is printed, and curl's exit code says that it is one
  curl --silent --show-error --fail-with-body "${key[@]}" "$@"
  echo
}

ask "$url/livez"
ask "$url/readyz"
ask "$url/tag" -H "$json" -d '{"text": "一、选准用好干部\n全年调整干部86人次。举办干部培训班12期。"}'
ask "$url/tag_sentences" -H "$json" -d '{"sentences": ["人才工作", "引进高层次人才40名。"], "documents": ["a", "a"], "level": "theme"}'
ask "$url/tag_file" -F "file=@$file" -F explain=1
ask "$url/taxonomy"
ask "$url/model"
ask "$url/openapi.json"
ask "$url/metrics"
