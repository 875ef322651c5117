// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// environmentFile is what the SDKs and the CLI need to be the tutorial's
// agent, as lines that a shell can source.
func (s *stack) environmentFile(server string) string {
	lines := []struct{ comment, name, value string }{
		{"The tutorial agent's key: a bearer token of ServiceAccount default/tutorial-agent.", "ASCEND_API_KEY", quoted(s.agent.token)},
		{"The API server, and the authority that its certificate is from.", "ASCEND_API_URL", quoted(server)},
		{"", "ASCEND_CA_FILE", quoted(s.folder.ca())},
		{"Where actions go, and in whose name.", "ASCEND_NAMESPACE", quoted(agentNamespace)},
		{"", "ASCEND_AGENT_ID", quoted(agentAccount)},
		{"What the operator records; ascend audit reads it.", "ASCEND_AUDIT_LOG", quoted(s.folder.auditLog())},
		{"ascend, kubectl with `kubectl approve`, as built here.", "PATH",
			quoted(filepath.Join(s.root, "bin")+":"+s.folder.bin()) + `:"$PATH"`},
	}
	var text strings.Builder
	text.WriteString("# Written by `make dev`; source it: . " + s.shown(s.folder.env()) + "\n")
	for _, line := range lines {
		if line.comment != "" {
			fmt.Fprintf(&text, "# %s\n", line.comment)
		}
		fmt.Fprintf(&text, "export %s=%s\n", line.name, line.value)
	}
	return text.String()
}

// quoted is a word as a POSIX shell reads it back.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
