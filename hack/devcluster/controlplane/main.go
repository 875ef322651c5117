//go:build controlplane

// Command controlplane is the embedded control plane in one file: etcd,
// kube-apiserver, kube-controller-manager and kubectl, linked together because
// they share most of their packages (four binaries would take four times the
// disk and four links).
//
// Which of them runs is told by the base name the binary was called under
// (a link named "etcd" is etcd) or, under any other name, by the first argument:
//
//	controlplane kubectl version --client
//
// It is built with the tag controlplane, and `devcluster build` sets it. Without
// the tag the package is empty, so that `go vet ./...` and `go test ./...` in
// this module do not compile Kubernetes for the sake of this one file.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl: credential plugins
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics of the servers
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlerrors "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// programs holds what the binary can be, by name. Each runs to its end and
// returns the exit code of the process.
var programs = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kubectl":                 runKubectl,
}

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := programs[name]; !known && len(os.Args) > 1 {
		// The program reads os.Args itself, so it must see them as if it had
		// been called by its own name.
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	run, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "controlplane: no program %q in this binary; call it through a link named like one of, "+
			"or give as first argument one of: %s\n", name, strings.Join(names(), ", "))
		os.Exit(2)
	}
	os.Exit(run())
}

// names returns the programs of this binary, sorted.
func names() []string {
	list := make([]string, 0, len(programs))
	for name := range programs {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// runEtcd runs an etcd server; etcdmain ends the process by itself on an error.
func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

// runKubectl runs kubectl. Errors go through kubectl's own printer, because it
// words API errors for people and sets the exit codes that scripts rely on.
func runKubectl() int {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlerrors.CheckErr(err)
	}
	return 0
}
