// A bucket and a database with backups. `pulumi package add` generates the package of labelspace first.
import * as labelspace from "@pulumi/labelspace";
import * as pulumi from "@pulumi/pulumi";

const name = pulumi.getStack();
const config = new pulumi.Config();

const photos = new labelspace.DatasetBucket("photos", {
  nameOnEngine: `${name}-photos`,
  bucket: `${name}-photos`,
  port: config.requireNumber("port"),
});
const labels = new labelspace.AnnotationDatabase("labels", {
  nameOnEngine: `${name}-labels`,
  backup: { retentionDays: 3 },
});

export const endpoint = photos.endpoint;
export const secretKey = photos.secretKey;
export const host = labels.host;
