// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// The rules are those of krew v1alpha2: what `kubectl krew install` refuses, what
// the krew index refuses, and its guide to names and descriptions.
// See https://krew.sigs.k8s.io/docs/developer-guide/.
const (
	krewVersion = "krew.googlecontainertools.github.com/v1alpha2"
	krewKind    = "Plugin"
	// shortest and widest are how long a short description, and a line of the
	// long one, may be.
	shortest = 50
	widest   = 80
)

var (
	pluginName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	sha256Hex  = regexp.MustCompile(`^[a-f0-9]{64}$`)
)

// krewPlugin is a manifest as krew reads it.
type krewPlugin struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string         `json:"version"`
		ShortDescription string         `json:"shortDescription"`
		Description      string         `json:"description"`
		Caveats          string         `json:"caveats"`
		Homepage         string         `json:"homepage"`
		Platforms        []krewPlatform `json:"platforms"`
	} `json:"spec"`
}

// krewPlatform is how the plugin is installed on the platforms it selects.
type krewPlatform struct {
	Selector *metav1.LabelSelector `json:"selector"`
	URI      string                `json:"uri"`
	SHA256   string                `json:"sha256"`
	Files    []krewFile            `json:"files"`
	Bin      string                `json:"bin"`
}

// krewFile moves what a glob finds in the archive to a folder or file.
type krewFile struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// checkManifest says everything that is wrong with the manifest NAME.yaml.
func checkManifest(name string, text []byte) error {
	var p krewPlugin
	if err := yaml.UnmarshalStrict(text, &p); err != nil {
		return err
	}
	wrong := []error{
		unless(p.APIVersion == krewVersion, "apiVersion is %q, not %q", p.APIVersion, krewVersion),
		unless(p.Kind == krewKind, "kind is %q, not %q", p.Kind, krewKind),
		unless(p.Metadata.Name == name, "metadata.name is %q, and the file's name is %s.yaml", p.Metadata.Name, name),
		unless(pluginName.MatchString(name), "the name %q has to match %s", name, pluginName),
		unless(semantic.MatchString(p.Spec.Version), "spec.version %q is not a semantic version with a v", p.Spec.Version),
		checkURL("spec.homepage", p.Spec.Homepage),
		checkShort(p.Spec.ShortDescription),
		checkLines("spec.description", p.Spec.Description),
		checkLines("spec.caveats", p.Spec.Caveats),
		unless(len(p.Spec.Platforms) > 0, "spec.platforms is empty"),
	}
	for i, one := range p.Spec.Platforms {
		if err := one.check(); err != nil {
			wrong = append(wrong, fmt.Errorf("spec.platforms[%d]: %w", i, err))
		}
	}
	return errors.Join(append(wrong, checkSelectors(p.Spec.Platforms)...)...)
}

// unless is an error if something that has to be is not.
func unless(is bool, format string, args ...any) error {
	if is {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func checkShort(text string) error {
	return errors.Join(
		unless(text != "", "spec.shortDescription is missing"),
		unless(utf8.RuneCountInString(text) <= shortest, "spec.shortDescription is longer than %d", shortest),
		unless(!strings.HasSuffix(text, "."), "spec.shortDescription ends with a dot"),
		unless(!strings.ContainsAny(text, "\r\n"), "spec.shortDescription has more than one line"),
		unless(!strings.Contains(strings.ToLower(text), "plugin"), "spec.shortDescription says that it is a plugin, which everybody knows"),
	)
}

func checkLines(field, text string) error {
	wrong := []error{unless(text != "", "%s is missing", field)}
	for line := range strings.SplitSeq(text, "\n") {
		wrong = append(wrong, unless(utf8.RuneCountInString(line) <= widest, "%s has a line longer than %d: %s", field, widest, line))
	}
	return errors.Join(wrong...)
}

func checkURL(field, text string) error {
	address, err := url.Parse(text)
	return unless(err == nil && address.Scheme == "https" && address.Host != "", "%s %q is not an https address", field, text)
}

func (p krewPlatform) check() error {
	wrong := []error{
		checkURL("uri", p.URI),
		unless(strings.HasSuffix(p.URI, ".tar.gz") || strings.HasSuffix(p.URI, ".zip"), "uri %q is neither a .tar.gz nor a .zip", p.URI),
		unless(sha256Hex.MatchString(p.SHA256), "sha256 %q is not 64 digits", p.SHA256),
		unless(p.Bin != "", "bin is missing"),
		unless(len(p.Files) > 0, "files is empty"),
	}
	var licence, program bool
	for _, file := range p.Files {
		wrong = append(wrong,
			unless(file.From != "" && file.To != "", "files: from %q and to %q are both needed", file.From, file.To),
			unless(file.To == path.Clean(file.To) && !path.IsAbs(file.To) && !strings.HasPrefix(file.To, ".."), "files: to %q is not a clean path within", file.To))
		licence = licence || file.From == licenseFile && file.To == "."
		program = program || file.From == p.Bin && file.To == "."
	}
	return errors.Join(append(wrong,
		unless(licence, "files: %s does not get to the top of the folder", licenseFile),
		unless(program, "files: %s, which is bin, does not get there", p.Bin))...)
}

// checkSelectors says which platforms are selected by none, by more than one,
// or by what krew does not know.
func checkSelectors(all []krewPlatform) []error {
	var wrong []error
	for i, one := range all {
		if one.Selector == nil {
			return append(wrong, fmt.Errorf("spec.platforms[%d]: selector is missing", i))
		}
		keys := make([]string, 0, len(one.Selector.MatchLabels))
		for key := range one.Selector.MatchLabels {
			keys = append(keys, key)
		}
		for _, expression := range one.Selector.MatchExpressions {
			keys = append(keys, expression.Key)
		}
		wrong = append(wrong, unless(len(keys) > 0, "spec.platforms[%d]: selector is empty", i))
		slices.Sort(keys)
		for _, key := range keys {
			wrong = append(wrong, unless(key == "os" || key == "arch", "spec.platforms[%d]: selector: krew does not know %q", i, key))
		}
	}
	for _, p := range platforms {
		n := 0
		for _, one := range all {
			selector, err := metav1.LabelSelectorAsSelector(one.Selector)
			if err == nil && selector.Matches(labels.Set{"os": p.OS, "arch": p.Arch}) {
				n++
			}
		}
		wrong = append(wrong, unless(n == 1, "%s is selected by %d of spec.platforms, not by one", p, n))
	}
	return wrong
}
