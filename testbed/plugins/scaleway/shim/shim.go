// Package shim opens what the Terraform provider for Scaleway keeps internal.
package shim

import (
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/scaleway/terraform-provider-scaleway/v2/internal/transport"
	"github.com/scaleway/terraform-provider-scaleway/v2/provider"
)

// New makes the provider as its own main does.
func New() *schema.Provider { return provider.SDKProvider(provider.DefaultConfig())() }

// PollEvery sets how often the provider asks whether something is ready; its own tests set it the same way.
func PollEvery(pause time.Duration) { transport.DefaultWaitRetryInterval = &pause }
