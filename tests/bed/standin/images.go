package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"runtime"
)

// image is one image: all of them share the one layer.
type image struct {
	tag        string
	entrypoint []string
	directory  string
	generation string
}

// images are named as upstream's, so that a FlameCluster of upstream's documentation runs as it is.
func images() []image {
	all := []image{
		{"bed.test/pause:v1", []string{"/standin", "pause"}, "/", ""},
		{"bed.test/grow:v1", []string{"/standin", "grow"}, "/", ""},
	}
	for tag, generation := range map[string]string{"v0.1.0": "577", "v0.1.1": "577", "v0.6.0": "060", "v0.6.1": "060"} {
		all = append(all,
			image{"xflops/flame-session:" + tag, []string{"/standin", "session-manager"}, "/usr/local/flame", generation},
			image{"xflops/flame-executor:" + tag, []string{"/standin", "executor-manager"}, "/usr/local/flame/work", generation})
		if generation == "060" {
			all = append(all,
				image{"xflops/flame-object-cache:" + tag, []string{"/standin", "object-cache"}, "/usr/local/flame", generation})
		}
	}
	return all
}

func writeImages(to io.Writer) error {
	layer, err := layer()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(layer)
	out := tar.NewWriter(to)
	if err := add(out, "layer.tar", 0o644, layer); err != nil {
		return err
	}
	var manifest []map[string]any
	for _, image := range images() {
		config, err := json.Marshal(map[string]any{
			"architecture": runtime.GOARCH, "os": "linux",
			"config": map[string]any{
				"Entrypoint": image.entrypoint, "WorkingDir": image.directory,
				"Env": []string{"PATH=/usr/local/flame/bin", "FLAME_HOME=/usr/local/flame", "STANDIN_GENERATION=" + image.generation},
			},
			"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
		})
		if err != nil {
			return err
		}
		name := sha256.Sum256(config)
		file := hex.EncodeToString(name[:]) + ".json"
		if err := add(out, file, 0o644, config); err != nil {
			return err
		}
		manifest = append(manifest, map[string]any{"Config": file, "RepoTags": []string{image.tag}, "Layers": []string{"layer.tar"}})
	}
	index, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	if err := add(out, "manifest.json", 0o644, index); err != nil {
		return err
	}
	return out.Close()
}

// layer holds this program and the directories that upstream's images have; all of it is root's.
func layer() ([]byte, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(executable)
	if err != nil {
		return nil, err
	}
	var layer bytes.Buffer
	out := tar.NewWriter(&layer)
	for _, directory := range []string{".", "tmp", "var", "var/lib", "usr", "usr/local", "usr/local/flame", "usr/local/flame/bin",
		"usr/local/flame/migrations", "usr/local/flame/migrations/sqlite", "usr/local/flame/work"} {
		mode := int64(0o755)
		if directory == "tmp" {
			mode = 0o1777
		}
		if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: directory + "/", Mode: mode}); err != nil {
			return nil, err
		}
	}
	if err := add(out, "standin", 0o755, program); err != nil {
		return nil, err
	}
	// The end of the archive is written by that.
	if err := out.Close(); err != nil {
		return nil, err
	}
	return layer.Bytes(), nil
}

func add(out *tar.Writer, name string, mode int64, content []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err := out.Write(content)
	return err
}
