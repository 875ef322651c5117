// SPDX-License-Identifier: Apache-2.0

// Command chart writes the parts of the Helm chart that config/ has already, so
// that nothing is written twice by hand: CRDs, RBAC, webhooks, policies,
// Services, certificates, the starter policy, and the table of values of its
// README.md. `make chart` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	kubectl := flag.String("kubectl", "kubectl", "`program` that renders config/: kubectl kustomize")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := write(ctx, *kubectl, ".", filepath.Join("charts", "ascend-operator"))
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "chart: %v\n", err)
		os.Exit(1)
	}
}

// write renders config/ of the checkout and replaces what the chart has of it.
// Nothing is touched when anything cannot be rendered.
func write(ctx context.Context, kubectl, checkout, chart string) error {
	files, err := renderAll(ctx, kubectl, filepath.Join(checkout, "config"))
	if err != nil {
		return err
	}
	readme, err := withTable(chart)
	if err != nil {
		return err
	}
	for _, folder := range []string{"crds", "files"} {
		if err := os.RemoveAll(filepath.Join(chart, folder)); err != nil {
			return err
		}
	}
	files["README.md"] = readme
	for path, text := range files {
		path = filepath.Join(chart, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
