// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// The keys of the ConfigMap with the anchors: those of chains have a checkpoint as
// JSON, those of keys a public key as PEM.
const (
	AnchorPrefix = "chain."
	KeyPrefix    = "key."
)

// Anchors are what a cluster knows of its trail.
type Anchors struct {
	Checkpoints []audit.Checkpoint
	Keys        []ed25519.PublicKey
}

// AnchorsOf reads the data of the ConfigMap. Every entry has to be readable: one that
// is not may be one that somebody has spoilt.
func AnchorsOf(data map[string]string) (*Anchors, error) {
	anchors := &Anchors{}
	for _, name := range slices.Sorted(maps.Keys(data)) {
		text := []byte(data[name])
		if chain, is := strings.CutPrefix(name, AnchorPrefix); is {
			checkpoint, err := checkpointOf(text)
			if err == nil && checkpoint.Chain != chain {
				err = fmt.Errorf("it is about chain %.64q", checkpoint.Chain)
			}
			if err != nil {
				return nil, fmt.Errorf("anchor %s: %w", name, err)
			}
			anchors.Checkpoints = append(anchors.Checkpoints, *checkpoint)
		} else if id, is := strings.CutPrefix(name, KeyPrefix); is {
			keys, err := ParseKeys(text)
			if err == nil && (len(keys) != 1 || audit.KeyID(keys[0]) != id) {
				err = errors.New("it is not the key of that id")
			}
			if err != nil {
				return nil, fmt.Errorf("public key %s: %w", name, err)
			}
			anchors.Keys = append(anchors.Keys, keys...)
		}
	}
	return anchors, nil
}

// ParseAnchors reads the ConfigMap with the anchors, as YAML or JSON, or checkpoints
// as JSON, one after the other or in an array; also several documents of YAML.
func ParseAnchors(text []byte) (*Anchors, error) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) > 0 && trimmed[0] != '{' && trimmed[0] != '[' {
		converted, err := fromYAML(trimmed)
		if err != nil {
			return nil, fmt.Errorf("neither JSON nor YAML: %w", err)
		}
		trimmed = converted
	}
	all := &Anchors{}
	decoder := json.NewDecoder(bytes.NewReader(trimmed))
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		if err := all.take(value); err != nil {
			return nil, err
		}
	}
	if len(all.Checkpoints) == 0 {
		return nil, errors.New("there are no anchors in it: neither a ConfigMap with entries " + AnchorPrefix + "ID, nor checkpoints")
	}
	return all, nil
}

// fromYAML is the documents as JSON, one after the other.
func fromYAML(text []byte) ([]byte, error) {
	var all []byte
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		converted, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(converted, []byte("null")) { // only comments
			all = append(append(all, converted...), '\n')
		}
	}
}

func (a *Anchors) take(value json.RawMessage) error {
	if value[0] == '[' {
		var values []json.RawMessage
		if err := json.Unmarshal(value, &values); err != nil {
			return err
		}
		for _, one := range values {
			if err := a.take(one); err != nil {
				return err
			}
		}
		return nil
	}
	var object struct {
		Data map[string]string `json:"data"`
	}
	if err := json.Unmarshal(value, &object); err != nil {
		return errors.New("neither a ConfigMap nor a checkpoint")
	}
	if object.Data == nil {
		checkpoint, err := checkpointOf(value)
		if err != nil {
			return fmt.Errorf("neither a ConfigMap with data nor a checkpoint: %w", err)
		}
		a.Checkpoints = append(a.Checkpoints, *checkpoint)
		return nil
	}
	of, err := AnchorsOf(object.Data)
	if err != nil {
		return err
	}
	a.Checkpoints, a.Keys = append(a.Checkpoints, of.Checkpoints...), append(a.Keys, of.Keys...)
	return nil
}

func checkpointOf(text []byte) (*audit.Checkpoint, error) {
	var checkpoint audit.Checkpoint
	if err := json.Unmarshal(text, &checkpoint); err != nil {
		return nil, fmt.Errorf("not a checkpoint: %w", err)
	}
	if checkpoint.Chain == "" || checkpoint.Sequence == 0 || checkpoint.Hash == "" {
		return nil, errors.New("not a checkpoint: it lacks chain, sequence or hash")
	}
	return &checkpoint, nil
}

// ParseKeys reads Ed25519 public keys as PEM, one or several.
func ParseKeys(text []byte) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("PEM of type %.32q; a public key is of type PUBLIC KEY", block.Type)
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read the public key: %w", err)
		}
		key, is := parsed.(ed25519.PublicKey)
		if !is {
			return nil, fmt.Errorf("a key of type %T; checkpoints are signed by Ed25519", parsed)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no public key in PEM in it")
	}
	return keys, nil
}
