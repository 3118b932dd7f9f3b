// A workspace on a bucket and a database of its own, in Go.
package main

import (
	"example.com/pulumi-labelspace/sdk/go/labelspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		port := settings.RequireInt("port")
		photos, err := labelspace.NewDatasetBucket(ctx, "photos", &labelspace.DatasetBucketArgs{
			Name: pulumi.StringRef(ctx.Stack() + "-photos"),
			Port: port + 2,
		})
		if err != nil {
			return err
		}
		labels, err := labelspace.NewAnnotationDatabase(ctx, "labels", &labelspace.AnnotationDatabaseArgs{
			Name:   pulumi.StringRef(ctx.Stack()),
			Backup: &labelspace.BackupArgs{RetentionDays: pulumi.IntRef(3)},
		})
		if err != nil {
			return err
		}
		workspace, err := labelspace.NewWorkspace(ctx, "workspace", &labelspace.WorkspaceArgs{
			Description: pulumi.Sprintf("Photos of %s", photos.Bucket),
			Buckets:     []any{photos},
			Database:    labels,
			Admin: &labelspace.AdminArgs{
				Email:    pulumi.String("head@example.org"),
				Password: settings.RequireSecret("adminPassword"),
			},
			Port: &port,
		})
		if err != nil {
			return err
		}
		ctx.Export("url", workspace.Url)
		ctx.Export("adminPassword", workspace.AdminPassword)
		ctx.Export("endpoint", photos.Endpoint)
		return nil
	})
}
