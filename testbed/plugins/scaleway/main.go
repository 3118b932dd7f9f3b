// The Pulumi plugin for Scaleway, bridged from the Terraform provider's own Go module, for machines
// that reach Go modules but no plugin downloads. Names are those of the Python package pulumiverse-scaleway.
//
// LABELSPACE_TESTBED_S3 sends what is meant for Scaleway's Object Storage to another address, host name kept,
// so that signatures stay valid; LABELSPACE_TESTBED_POLL is the pause between two looks at something unfinished.
package main

import (
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/scaleway/terraform-provider-scaleway/v2/shim"
)

const version = "1.60.0"

// Terraform's names and those of the Python package, module/Resource.
var served = map[string]string{
	"scaleway_account_project":         "account/Project",
	"scaleway_block_volume":            "block/Volume",
	"scaleway_domain_record":           "domain/Record",
	"scaleway_iam_api_key":             "iam/ApiKey",
	"scaleway_iam_application":         "iam/Application",
	"scaleway_iam_policy":              "iam/Policy",
	"scaleway_iam_ssh_key":             "iam/SshKey",
	"scaleway_instance_ip":             "instance/Ip",
	"scaleway_instance_security_group": "instance/SecurityGroup",
	"scaleway_instance_server":         "instance/Server",
	"scaleway_object_bucket":           "object/Bucket",
	"scaleway_object_bucket_policy":    "object/BucketPolicy",
	"scaleway_rdb_database":            "databases/Database",
	"scaleway_rdb_instance":            "databases/Instance",
	"scaleway_rdb_privilege":           "databases/Privilege",
	"scaleway_rdb_user":                "databases/User",
	"scaleway_secret":                  "secrets/Secret",
	"scaleway_secret_version":          "secrets/Version",
	"scaleway_vpc":                     "network/Vpc",
	"scaleway_vpc_private_network":     "network/PrivateNetwork",
}

func token(name string) tokens.Type {
	module, resource, _ := strings.Cut(name, "/")
	file := strings.ToLower(resource[:1]) + resource[1:]
	return tokens.Type("scaleway:" + module + "/" + file + ":" + resource)
}

// redirect sends the hosts of Object Storage to one address.
type redirect struct {
	next    http.RoundTripper
	address string
}

func (e redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	host := request.URL.Hostname()
	if strings.HasSuffix(host, ".scw.cloud") && strings.Contains("."+host, ".s3.") {
		request = request.Clone(request.Context())
		request.Host = host
		request.URL.Scheme = "http"
		request.URL.Host = e.address
	}
	return e.next.RoundTrip(request)
}

func main() {
	if address := os.Getenv("LABELSPACE_TESTBED_S3"); address != "" {
		http.DefaultTransport = redirect{http.DefaultTransport, address}
	}
	if pause, err := time.ParseDuration(os.Getenv("LABELSPACE_TESTBED_POLL")); err == nil {
		shim.PollEvery(pause)
	}
	provider := shim.New()
	resources := map[string]*tfbridge.ResourceInfo{}
	for name, ours := range served {
		resources[name] = &tfbridge.ResourceInfo{Tok: token(ours)}
	}
	var ignored []string
	for name := range provider.ResourcesMap {
		if _, ok := served[name]; !ok {
			ignored = append(ignored, name)
		}
	}
	for name := range provider.DataSourcesMap {
		ignored = append(ignored, name)
	}
	info := tfbridge.ProviderInfo{
		P:              shimv2.NewProvider(provider),
		Name:           "scaleway",
		Version:        version,
		Resources:      resources,
		IgnoreMappings: ignored,
	}
	tfbridge.Main("scaleway", version, info, []byte("{}"))
}
