// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"encoding/base64"
	"fmt"
	"os"
)

// kubeconfigText is a kubeconfig with everything embedded, so that it works
// wherever it is copied to.
const kubeconfigText = `apiVersion: v1
kind: Config
current-context: devcluster
clusters:
- name: devcluster
  cluster:
    server: %s
    certificate-authority-data: %s
contexts:
- name: devcluster
  context:
    cluster: devcluster
    user: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
`

// writeKubeconfig writes to path, mode 0600, a kubeconfig for the user whose
// certificate is pki/<user>.crt.
func (d Dir) writeKubeconfig(path, server, user string) error {
	var data []any
	for _, name := range []string{"ca.crt", user + ".crt", user + ".key"} {
		text, err := os.ReadFile(d.pki(name))
		if err != nil {
			return fmt.Errorf("kubeconfig of %s: %w", user, err)
		}
		data = append(data, base64.StdEncoding.EncodeToString(text))
	}
	text := fmt.Sprintf(kubeconfigText, server, data[0], user, user, data[1], data[2])
	return writeFile(path, []byte(text), 0o600)
}
