// A workspace on a bucket and a database of its own. `pulumi package add` makes the package of labelspace first.
import * as labelspace from "@pulumi/labelspace";
import * as pulumi from "@pulumi/pulumi";

const name = pulumi.getStack();
const config = new pulumi.Config();
const port = config.requireNumber("port");

const photos = new labelspace.DatasetBucket("photos", { name: `${name}-photos`, port: port + 2 });
const labels = new labelspace.AnnotationDatabase("labels", { name, backup: { retentionDays: 3 } });
const workspace = new labelspace.Workspace("workspace", {
  description: pulumi.interpolate`Photos of ${photos.bucket}`,
  buckets: [photos],
  database: labels,
  admin: { email: "head@example.org", password: config.requireSecret("adminPassword") },
  port,
});

export const url = workspace.url;
export const adminPassword = workspace.adminPassword;
export const endpoint = photos.endpoint;
export const secretKey = photos.secretKey;
export const host = labels.host;
