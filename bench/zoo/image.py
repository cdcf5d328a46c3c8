# SPDX-License-Identifier: Apache-2.0
"""ResNet-18, ResNet-50, MobileNetV1, MobileNetV2 and VGG-16, as published, for 224x224 images."""
from network import Network

IMAGE, CLASSES = (3, 224, 224), 1000


def classify(net, x):
    x = net.flatten(net.average(x, "average"), "flatten")
    net.output("logits", net.dense(x, "classes", CLASSES, act=None))
    return net


def basic_block(net, x, name, width, stride):
    """Two 3x3 convolutions."""
    y = net.conv(x, name + ".conv1", width, 3, stride)
    return net.conv(y, name + ".conv2", width, 3, act=None)


def bottleneck(net, x, name, width, stride):
    """1x1, 3x3, and 1x1 to four times the width; the 3x3 has the stride, as in version 1.5."""
    y = net.conv(x, name + ".conv1", width, 1)
    y = net.conv(y, name + ".conv2", width, 3, stride)
    return net.conv(y, name + ".conv3", 4 * width, 1, act=None)


def resnet(rng, quantized, name, block, counts):
    """He et al., "Deep Residual Learning for Image Recognition", 2015."""
    net = Network(name, rng, quantized)
    x = net.conv(net.input("image", IMAGE), "conv1", 64, 7, 2)
    x = net.max_pool(x, "pool", 3, 2, pad=1)
    for stage, count in enumerate(counts):
        for i in range(count):
            at, stride = "stage%d.%d" % (stage + 1, i), 2 if stage and not i else 1
            y = block(net, x, at, 64 << stage, stride)
            if x.shape != y.shape:
                x = net.conv(x, at + ".skip", y.shape[0], 1, stride, act=None)
            x = net.add(y, x, at + ".add")
    return classify(net, x)


def resnet18(rng, quantized):
    return resnet(rng, quantized, "resnet18", basic_block, (2, 2, 2, 2))


def resnet50(rng, quantized):
    return resnet(rng, quantized, "resnet50", bottleneck, (3, 4, 6, 3))


def mobilenetv1(rng, quantized):
    """Howard et al., "MobileNets", 2017, width 1."""
    net = Network("mobilenetv1", rng, quantized)
    x = net.conv(net.input("image", IMAGE), "conv1", 32, 3, 2)
    layers = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + 5 * [(512, 1)] + [
        (1024, 2), (1024, 1)]
    for i, (channels, stride) in enumerate(layers):
        x = net.conv(x, "block%d.depthwise" % (i + 1), x.shape[0], 3, stride, group=x.shape[0])
        x = net.conv(x, "block%d.pointwise" % (i + 1), channels, 1)
    return classify(net, x)


def inverted_residual(net, x, name, expansion, channels, stride):
    y, hidden = x, x.shape[0] * expansion
    if expansion > 1:
        y = net.conv(y, name + ".expand", hidden, 1, act="Clip")
    y = net.conv(y, name + ".depthwise", hidden, 3, stride, group=hidden, act="Clip")
    y = net.conv(y, name + ".project", channels, 1, act=None)
    return net.add(y, x, name + ".add", act=None) if x.shape == y.shape else y


def mobilenetv2(rng, quantized):
    """Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, width 1."""
    net = Network("mobilenetv2", rng, quantized)
    x = net.conv(net.input("image", IMAGE), "conv1", 32, 3, 2, act="Clip")
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
              (6, 160, 3, 2), (6, 320, 1, 1)]
    for s, (expansion, channels, count, stride) in enumerate(stages):
        for i in range(count):
            at = "stage%d.%d" % (s + 1, i)
            x = inverted_residual(net, x, at, expansion, channels, 1 if i else stride)
    return classify(net, net.conv(x, "conv2", 1280, 1, act="Clip"))


def vgg16(rng, quantized):
    """Simonyan and Zisserman, "Very Deep Convolutional Networks", 2014, configuration D."""
    net = Network("vgg16", rng, quantized)
    x = net.input("image", IMAGE)
    for stage, (channels, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]):
        for i in range(count):
            x = net.conv(x, "conv%d_%d" % (stage + 1, i + 1), channels, 3, norm=False)
        x = net.max_pool(x, "pool%d" % (stage + 1), 2, 2)
    x = net.flatten(x, "flatten")
    x = net.dense(net.dense(x, "dense1", 4096), "dense2", 4096)
    net.output("logits", net.dense(x, "classes", CLASSES, act=None))
    return net
