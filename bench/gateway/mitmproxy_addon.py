"""What Cordon does for each request, as a mitmproxy user would write it: walk the JSON, note which personal
values it carries about whom, append that to a file before the request goes on, and put in the vendor's credential.
It keeps no tree, hands out no ordinals and does not sync the file, all in mitmproxy's favour."""

import hashlib
import hmac
import json
import re

from mitmproxy import ctx, http

KEY = b"a key outside the record"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}")
IP = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
PHONE = re.compile(r"\+\d{7,15}")
NAMED = {"email": "user.contact.email", "name": "user.name", "phone": "user.contact.phone_number"}


class Disclosures:
    def load(self, loader):
        loader.add_option("record", str, "", "file that disclosures are appended to")

    def running(self):
        self.out = open(ctx.options.record, "a", buffering=1)

    def request(self, flow: http.HTTPFlow):
        found = []
        try:
            self.walk(json.loads(flow.request.content), "", found)
        except ValueError:
            found.append(("", "incomplete", ""))
        people = [hmac.new(KEY, value.encode(), hashlib.sha256).hexdigest()
                  for _, category, value in found if category == "user.contact.email"]
        self.out.write(json.dumps({"path": flow.request.path, "people": people,
                                   "categories": sorted({c for _, c, _ in found})}) + "\n")
        flow.request.headers["Authorization"] = "Bearer the-vendor-credential"

    def walk(self, value, path, found):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in NAMED and isinstance(inner, str):
                    found.append((path + "." + key, NAMED[key], inner))
                else:
                    self.walk(inner, path + "." + key, found)
        elif isinstance(value, list):
            for inner in value:
                self.walk(inner, path + "[]", found)
        elif isinstance(value, str):
            for pattern, category in ((EMAIL, "user.contact.email"), (IP, "user.device.ip_address"),
                                      (PHONE, "user.contact.phone_number")):
                for match in pattern.findall(value):
                    found.append((path, category, match))


addons = [Disclosures()]
