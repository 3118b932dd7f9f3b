// Package shim opens the Terraform provider for Docker, which keeps its constructor internal.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// New makes the provider as its own main does.
func New(version string) *schema.Provider { return provider.New(version)() }
