from zoo import *
import zoo
L.clear()
def mbv3(torch,nn):
    class SE(nn.Module):
        def __init__(s,c): super().__init__(); s.f=nn.Sequential(nn.AdaptiveAvgPool2d(1),nn.Conv2d(c,c//4,1),nn.ReLU(),nn.Conv2d(c//4,c,1),nn.Hardsigmoid())
        def forward(s,x): return x*s.f(x)
    class B(nn.Module):
        def __init__(s,i,h,o,k,st,se):
            super().__init__(); s.same=st==1 and i==o
            M=[nn.Conv2d(i,h,1,bias=False),nn.BatchNorm2d(h),nn.Hardswish(),nn.Conv2d(h,h,k,st,k//2,groups=h,bias=False),nn.BatchNorm2d(h)]
            if se: M.append(SE(h))
            s.n=nn.Sequential(*M,nn.Hardswish(),nn.Conv2d(h,o,1,bias=False),nn.BatchNorm2d(o))
        def forward(s,x): return x+s.n(x) if s.same else s.n(x)
    return nn.Sequential(nn.Conv2d(3,16,3,2,1,bias=False),nn.BatchNorm2d(16),nn.Hardswish(),B(16,16,16,3,2,1),B(16,72,24,3,2,0),B(24,96,40,5,2,1),B(40,240,40,5,1,1),B(40,120,48,5,1,1),nn.AdaptiveAvgPool2d(1),nn.Flatten(),nn.Linear(48,10))
def effb(torch,nn):
    class B(nn.Module):
        def __init__(s,i,o,k,st,e):
            super().__init__(); h=i*e; s.same=st==1 and i==o
            s.e=nn.Sequential(nn.Conv2d(i,h,1,bias=False),nn.BatchNorm2d(h),nn.SiLU(),nn.Conv2d(h,h,k,st,k//2,groups=h,bias=False),nn.BatchNorm2d(h),nn.SiLU())
            s.s=nn.Sequential(nn.AdaptiveAvgPool2d(1),nn.Conv2d(h,i//4,1),nn.SiLU(),nn.Conv2d(i//4,h,1),nn.Sigmoid())
            s.p=nn.Sequential(nn.Conv2d(h,o,1,bias=False),nn.BatchNorm2d(o))
        def forward(s,x):
            h=s.e(x); h=s.p(h*s.s(h)); return x+h if s.same else h
    return nn.Sequential(nn.Conv2d(3,16,3,2,1,bias=False),nn.BatchNorm2d(16),nn.SiLU(),B(16,24,3,2,6),B(24,24,3,1,6),B(24,40,5,2,6),B(40,40,5,1,6),nn.AdaptiveAvgPool2d(1),nn.Flatten(),nn.Linear(40,10))
def incep(torch,nn):
    def cb(i,o,k,p=0): return nn.Sequential(nn.Conv2d(i,o,k,padding=p,bias=False),nn.BatchNorm2d(o),nn.ReLU(inplace=True))
    class I(nn.Module):
        def __init__(s,i,a,b1,b2,c1,c2,p):
            super().__init__(); s.a=cb(i,a,1); s.b=nn.Sequential(cb(i,b1,1),cb(b1,b2,3,1)); s.c=nn.Sequential(cb(i,c1,1),cb(c1,c2,5,2)); s.d=nn.Sequential(nn.MaxPool2d(3,1,1),cb(i,p,1))
        def forward(s,x): return torch.cat([s.a(x),s.b(x),s.c(x),s.d(x)],1)
    return nn.Sequential(nn.Conv2d(3,32,7,2,3),nn.BatchNorm2d(32),nn.ReLU(),nn.MaxPool2d(3,2,1),I(32,32,24,64,8,16,16),I(128,64,48,96,8,32,32),nn.MaxPool2d(3,2,1),I(224,64,48,100,8,24,36),nn.AdaptiveAvgPool2d(1),nn.Flatten(),nn.Linear(224,10))
def alex(torch,nn):
    return nn.Sequential(nn.Conv2d(3,64,11,4,2),nn.ReLU(inplace=True),nn.MaxPool2d(3,2),nn.Conv2d(64,192,5,padding=2),nn.ReLU(inplace=True),nn.MaxPool2d(3,2),nn.Conv2d(192,384,3,padding=1),nn.ReLU(inplace=True),nn.Conv2d(384,256,3,padding=1),nn.ReLU(inplace=True),nn.Conv2d(256,256,3,padding=1),nn.ReLU(inplace=True),nn.MaxPool2d(3,2),nn.AdaptiveAvgPool2d(2),nn.Flatten(),nn.Dropout(0.0),nn.Linear(1024,512),nn.ReLU(),nn.Linear(512,10))
def squeeze(torch,nn):
    class Fire(nn.Module):
        def __init__(s,i,q,e): super().__init__(); s.s=nn.Conv2d(i,q,1); s.a=nn.Conv2d(q,e,1); s.b=nn.Conv2d(q,e,3,padding=1); s.r=nn.ReLU(inplace=True)
        def forward(s,x): x=s.r(s.s(x)); return torch.cat([s.r(s.a(x)),s.r(s.b(x))],1)
    return nn.Sequential(nn.Conv2d(3,64,3,2),nn.ReLU(inplace=True),nn.MaxPool2d(3,2,ceil_mode=True),Fire(64,16,64),Fire(128,16,64),nn.MaxPool2d(3,2,ceil_mode=True),Fire(128,32,128),Fire(256,32,128),nn.Conv2d(256,10,1),nn.AdaptiveAvgPool2d(1),nn.Flatten())
def shuffle(torch,nn):
    def sh(x):
        n,c,h,w=x.shape; return x.view(n,2,c//2,h,w).transpose(1,2).reshape(n,c,h,w)
    class B(nn.Module):
        def __init__(s,c): super().__init__(); c=c//2; s.n=nn.Sequential(nn.Conv2d(c,c,1,bias=False),nn.BatchNorm2d(c),nn.ReLU(inplace=True),nn.Conv2d(c,c,3,1,1,groups=c,bias=False),nn.BatchNorm2d(c),nn.Conv2d(c,c,1,bias=False),nn.BatchNorm2d(c),nn.ReLU(inplace=True))
        def forward(s,x): a,b=x.chunk(2,1); return sh(torch.cat((a,s.n(b)),1))
    return nn.Sequential(nn.Conv2d(3,24,3,2,1,bias=False),nn.BatchNorm2d(24),nn.ReLU(),nn.MaxPool2d(3,2,1),nn.Conv2d(24,116,1),B(116),B(116),B(116),nn.AdaptiveAvgPool2d(1),nn.Flatten(),nn.Linear(116,10))
def bott(groups=1,w=32,stem=7):
  def mk(torch,nn):
    class B(nn.Module):
        def __init__(s,i,h,o,st):
            super().__init__(); s.n=nn.Sequential(nn.Conv2d(i,h,1,bias=False),nn.BatchNorm2d(h),nn.ReLU(inplace=True),nn.Conv2d(h,h,3,st,1,groups=groups,bias=False),nn.BatchNorm2d(h),nn.ReLU(inplace=True),nn.Conv2d(h,o,1,bias=False),nn.BatchNorm2d(o))
            s.d=None if st==1 and i==o else nn.Sequential(nn.Conv2d(i,o,1,st,bias=False),nn.BatchNorm2d(o)); s.r=nn.ReLU(inplace=True)
        def forward(s,x): return s.r(s.n(x)+(x if s.d is None else s.d(x)))
    return nn.Sequential(nn.Conv2d(3,w,stem,2,stem//2,bias=False),nn.BatchNorm2d(w),nn.ReLU(),nn.MaxPool2d(3,2,1),B(w,w,4*w,1),B(4*w,w,4*w,1),B(4*w,2*w,8*w,2),B(8*w,2*w,8*w,1),B(8*w,4*w,16*w,2),nn.AdaptiveAvgPool2d(1),nn.Flatten(),nn.Linear(16*w,10))
  return mk
def tcn(torch,nn):
    M=[];c=20
    for d in (1,2,4,8): M+=[nn.Conv1d(c,48,3,padding=d,dilation=d),nn.ReLU(),nn.Dropout(0.0)]; c=48
    return nn.Sequential(*M,nn.Conv1d(c,48,5,stride=2),nn.BatchNorm1d(48),nn.GELU(),nn.AdaptiveAvgPool1d(1),nn.Flatten(),nn.Linear(48,5))
def odd(torch,nn):
    return nn.Sequential(nn.Conv2d(5,20,5,padding=1),nn.BatchNorm2d(20),nn.ReLU(),nn.Conv2d(20,100,3,stride=2),nn.InstanceNorm2d(100,affine=True),nn.ELU(),nn.AvgPool2d(3,2,1),nn.Conv2d(100,50,(3,1),padding=(1,0)),nn.PReLU(50),nn.Conv2d(50,50,(1,3),padding=(0,1),dilation=(1,1)),nn.LeakyReLU(.1),nn.AdaptiveAvgPool2d((3,2)),nn.Flatten(),nn.Linear(300,10))
def c3s(torch,nn):
    return nn.Sequential(nn.Conv3d(3,16,(3,7,7),(1,2,2),(1,3,3),bias=False),nn.BatchNorm3d(16),nn.ReLU(),nn.Conv3d(16,32,3,2,1),nn.BatchNorm3d(32),nn.ReLU(),nn.Conv3d(32,32,(3,1,1),padding=(1,0,0)),nn.ReLU(),nn.Conv3d(32,48,3,2,1),nn.ReLU(),nn.AdaptiveAvgPool3d(1),nn.Flatten(),nn.Linear(48,4))
def ae(torch,nn):
    return nn.Sequential(nn.Conv2d(1,16,3,2,1),nn.ReLU(),nn.Conv2d(16,32,3,2,1),nn.ReLU(),nn.Conv2d(32,64,7),nn.ReLU(),nn.ConvTranspose2d(64,32,7),nn.ReLU(),nn.ConvTranspose2d(32,16,3,2,1,output_padding=1),nn.ReLU(),nn.ConvTranspose2d(16,1,3,2,1,output_padding=1),nn.Sigmoid())
def segm(torch,nn):
    return nn.Sequential(nn.Conv2d(3,32,3,2,1),nn.BatchNorm2d(32),nn.ReLU(),nn.Conv2d(32,64,3,padding=2,dilation=2),nn.BatchNorm2d(64),nn.ReLU(),nn.Conv2d(64,64,3,padding=4,dilation=4),nn.ReLU(),nn.Upsample(scale_factor=2,mode='nearest'),nn.Conv2d(64,20,1))
def pix(torch,nn):
    return nn.Sequential(nn.Conv2d(1,64,5,padding=2),nn.Tanh(),nn.Conv2d(64,32,3,padding=1),nn.Tanh(),nn.Conv2d(32,9,3,padding=1),nn.PixelShuffle(3))
def resgn(torch,nn):
    class B(nn.Module):
        def __init__(s,i,o): super().__init__(); s.a=nn.GroupNorm(8,i); s.c=nn.Conv2d(i,o,3,padding=1); s.b=nn.GroupNorm(8,o); s.d=nn.Conv2d(o,o,3,padding=1); s.f=nn.SiLU(); s.s=nn.Conv2d(i,o,1) if i!=o else nn.Identity()
        def forward(s,x): return s.s(x)+s.d(s.f(s.b(s.c(s.f(s.a(x))))))
    return nn.Sequential(nn.Conv2d(3,32,3,padding=1),B(32,32),nn.Conv2d(32,32,3,2,1),B(32,64),nn.Conv2d(64,64,3,2,1),B(64,64),nn.Upsample(scale_factor=2),B(64,32),nn.Upsample(scale_factor=2,mode='bilinear'),nn.GroupNorm(8,32),nn.SiLU(),nn.Conv2d(32,3,3,padding=1))
def style(torch,nn):
    return nn.Sequential(nn.ReflectionPad2d(4),nn.Conv2d(3,16,9),nn.InstanceNorm2d(16,affine=True),nn.ReLU(),nn.ReflectionPad2d(1),nn.Conv2d(16,32,3,2),nn.InstanceNorm2d(32,affine=True),nn.ReLU(),nn.Upsample(scale_factor=2),nn.ReflectionPad2d(1),nn.Conv2d(32,16,3),nn.InstanceNorm2d(16,affine=True),nn.ReLU(),nn.ReflectionPad2d(4),nn.Conv2d(16,3,9))
def two(name,mk,a,b=None,**k):
    cls(name,mk,a,**k); cls(name,mk,b or a,evaluate=True,**{x:y for x,y in k.items() if x not in('loss','opt')})
two('mbv3 b16',mbv3,(16,3,96,96),(1,3,128,128))
two('effb b8',effb,(8,3,80,80),(1,3,128,128))
two('incep b8',incep,(8,3,96,96),(1,3,160,160))
two('alex b16',alex,(16,3,128,128),(1,3,224,224))
two('squeeze b8',squeeze,(8,3,96,96),(1,3,160,160))
two('shuffle b16',shuffle,(16,3,96,96),(1,3,160,160))
two('bott b8',bott(),(8,3,96,96),(1,3,224,224))
two('resnext b8',bott(8,32),(8,3,96,96),(1,3,160,160))
two('tcn b16',tcn,(16,20,300),(1,20,1000),classes=5)
two('odd b16',odd,(16,5,27,35),(4,5,27,35))
two('c3s b2',c3s,(2,3,16,56,56),(1,3,16,56,56),classes=4)
two('ae b64',ae,(64,1,28,28),(4,1,28,28),loss=1)
two('segm b4',segm,(4,3,64,64),(1,3,128,128),loss=1)
two('pix b8',pix,(8,1,48,48),(1,1,100,100),loss=1)
two('resgn b4',resgn,(4,3,32,32),(1,3,64,64),loss=1)
two('style b2',style,(2,3,64,64),(1,3,128,128),loss=1)
two('convnext b4 64',convnext,(4,3,64,64),(1,3,160,160))
two('dense b64',dense,(64,3,20,20),(1,3,32,32))
two('lenet b64',lenet,(64,1,28,28),(1,1,28,28))
two('conv1d b64 100',c1,(64,8,100),(1,8,1000),classes=5)
two('conv3d b2',c3,(2,1,32,32,32),(1,1,20,28,36),classes=4)
two('groupnorm b16',gn,(16,3,32,32),(1,3,64,64))
two('resnet cl b16',rn(16,(3,3,3),'small',10),(16,3,32,32),(1,3,32,32),cl=True)
two('resnet18 cl b2',rn(64,(2,2,2,2),'large',100),(2,3,96,96),(1,3,160,160),cl=True)
two('mobile cl b8',mobile,(8,3,96,96),(1,3,128,128),cl=True)
two('unet cl b2',unet,(2,3,64,64),(1,3,96,96),cl=True,loss=1)
two('vgg cl b16',vgg([32,'M',64,'M',128,128,'M',256,'M']),(16,3,32,32),(1,3,64,64),cl=True)
two('resnet18 b8 64',rn(64,(2,2,2,2),'large',100),(8,3,64,64),(4,3,112,112))
two('resnet18s b8 32',rn(64,(2,2,2,2),'small',10),(8,3,32,32),(8,3,32,32))
two('wide b16',rn(40,(2,2,2),'small',10),(16,3,28,28),(1,3,28,28))
two('dcgG b32',dcg,(32,64,1,1),(4,64,1,1),loss=1)
two('dcgD b32',dcd,(32,3,32,32),(4,3,32,32),loss=1)
two('mnist b128',mn,(128,1,28,28),(128,1,28,28))
