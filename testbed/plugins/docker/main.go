// The Pulumi plugin for Docker, bridged from the Terraform provider's own Go module, for machines
// that reach Go modules but no plugin downloads. Names are those of the Python package pulumi-docker.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

const version = "5.2.0"

func resource(module, name string) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Tok: tokens.Type("docker:index/" + module + ":" + name)}
}

func main() {
	container := resource("container", "Container")
	container.DeleteBeforeReplace = true
	container.Fields = map[string]*tfbridge.SchemaInfo{
		"networks_advanced": {Name: "networksAdvanced"},
	}
	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(shim.New(version)),
		Name:    "docker",
		Version: version,
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_container": container,
			"docker_image":     resource("remoteImage", "RemoteImage"),
			"docker_network":   resource("network", "Network"),
			"docker_volume":    resource("volume", "Volume"),
		},
		IgnoreMappings: []string{
			"docker_config", "docker_secret", "docker_service", "docker_plugin", "docker_tag",
			"docker_registry_image", "docker_buildx_builder", "docker_exec", "docker_compose",
			"docker_logs", "docker_containers",
		},
	}
	tfbridge.Main("docker", version, info, []byte("{}"))
}
